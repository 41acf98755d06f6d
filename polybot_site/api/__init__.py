"""The REST API of the site itself: health, who I am, the event stream, metrics. Trading and markets have their own."""
