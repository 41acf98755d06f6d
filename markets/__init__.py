"""What can be traded and at what price: discovery, condition groups, order books, prices and their published image."""
