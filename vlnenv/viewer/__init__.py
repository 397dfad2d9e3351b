"""Pictures of what an agent sees, remembers and walks."""
