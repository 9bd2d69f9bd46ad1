"""The order of the stages, what is remembered of them, and what a tool's status is."""
