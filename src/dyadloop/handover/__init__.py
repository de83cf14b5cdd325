"""A study handed over to other programs with the same linear model: ctsem, Mplus, mlVAR; and a posterior to R."""

from dyadloop.handover.registry import HAND_OVERS, hand_over

__all__ = ["HAND_OVERS", "hand_over"]
