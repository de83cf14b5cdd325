"""Make the oxytocin theory of the therapeutic alliance executable and testable."""
