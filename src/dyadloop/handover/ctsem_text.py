"""The text of the script for ctsem, with marks for what a study fills in."""

SCRIPT_TEXT = """# The linear model of a study, stated by dyadloop for ctsem 3.10 or later. dyadloop
# does not run it.
# dx = (A x + b) dt + G dW, y = Lambda x + m + e, time in days.
#
# What the model of the study has and this script has not:
@UNSTATED@
# - equal standard deviations of two persons, where their noise is correlated: both are free here
# - the covariance of the first state follows from drift and diffusion there (as if no state acted on another); here its
#   cells are free
# Person means and random slopes are states that never change (mean_of_..., slope_...), correlated in T0VAR.
# What sessions add is multiplied by `gate`: 1 in the rows that end an interval in a session.
@NAMES@
library(ctsem)
data <- read.csv("ctsem.csv")

# Numbers of all parameters, at which the log-likelihood of this model is @OURS@ in dyadloop.
start <- c(
  @START@)

# Matrices; those of covariances are lower (Cholesky) factors.
matrices <- list(
  @MATRICES@)

stated <- function(fill) {
  filled <- lapply(matrices, function(cells) {
    cells[] <- vapply(cells, fill, "")
    cells
  })
  model <- do.call(ctModel, c(list(
    type = "ct", id = "@ID@", time = "@TIME@", tipredDefault = FALSE,
    manifestNames = @MANIFEST@,
    latentNames = @LATENT@,
    TDpredNames = @COLUMNS@), filled))
  model$covmattransform <- "cholesky"
  model$pars$indvarying <- FALSE
  model
}

# The log-likelihood at these numbers: all are filled in but one, for ctsem needs a free parameter.
one <- "@ONE@"
filled_in <- function(cell) {
  if (cell == one) return(paste0(one, "|param"))
  for (name in setdiff(names(start), one)) {
    number <- format(start[[name]], digits = 17, scientific = FALSE)
    if (cell %in% c(name, paste0(name, "|param"))) return(number)
    cell <- gsub(paste0("\\\\b", name, "\\\\b"), paste0("(", number, ")"), cell)
  }
  cell
}
check <- ctFit(data, stated(filled_in), priors = FALSE, cores = 1)
print(rstan::log_prob(check$stanfit$stanfit, start[[one]]))

# All parameters free, by maximum likelihood:
fit <- ctFit(data, stated(identity), priors = FALSE)
print(summary(fit))
"""
