"""The site: settings, typed configuration, urls, login and rights, the WebSocket hub and the management commands."""
