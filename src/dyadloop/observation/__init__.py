"""From the states of a theory to what a study observes: scaling of scores, and the observation model."""
