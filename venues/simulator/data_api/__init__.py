"""The Data API: positions, trades, activity, prices and rankings, from what settled."""
