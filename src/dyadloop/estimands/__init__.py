"""What a fit makes findings about: estimands of claims and arrows, as functions of the parameters."""
