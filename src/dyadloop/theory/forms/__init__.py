"""The registry of forms: how sources act. A new form is one file here and one line in the registry."""

from dyadloop.theory.forms.base import Form, Joint, Kink, Shape
from dyadloop.theory.forms.exponential import Exponential
from dyadloop.theory.forms.hill import Hill
from dyadloop.theory.forms.hump import Hump
from dyadloop.theory.forms.inhibition import Inhibition
from dyadloop.theory.forms.linear import Linear
from dyadloop.theory.forms.logistic import Logistic
from dyadloop.theory.forms.ojive import Ojive
from dyadloop.theory.forms.power import Power
from dyadloop.theory.forms.product import Product
from dyadloop.theory.forms.saturating import Saturating
from dyadloop.theory.forms.tanh import Tanh
from dyadloop.theory.forms.threshold import Threshold
from dyadloop.theory.forms.weakest_link import WeakestLink

FORMS: dict[str, Form] = {
    form.name: form
    for form in (
        Linear(),
        Tanh(),
        Logistic(),
        Saturating(),
        Hill(),
        Inhibition(),
        Threshold(),
        Hump(),
        Ojive(),
        Exponential(),
        Power(),
    )
}
"""Forms of one source, by name."""

JOINTS: dict[str, Joint] = {form.name: form for form in (Product(), WeakestLink())}
"""Forms of several sources, by name."""

__all__ = ["FORMS", "JOINTS", "Form", "Joint", "Kink", "Shape"]
