"""Protobuf: the schema, the generated code, and the mapping between domain and protobuf."""
