"""The package of all .proto files."""
