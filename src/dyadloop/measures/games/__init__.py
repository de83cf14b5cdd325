"""Games and ratings: trust game, public goods, empathic accuracy, truth and bias."""

from dyadloop.measures.games.accuracy import empathic_accuracy
from dyadloop.measures.games.choices import Scores, public_goods, trust_game
from dyadloop.measures.games.ratings import TruthAndBias, truth_and_bias

__all__ = ["Scores", "TruthAndBias", "empathic_accuracy", "public_goods", "trust_game", "truth_and_bias"]
