"""The state that a venue remembers, and everything that changes it. Deterministic: inputs and times alone lead from one state to the next."""
