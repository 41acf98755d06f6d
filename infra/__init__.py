"""The ground: embedded services, clock, ids, logging, metrics, Redis, health. No business words."""
