"""Handwritten digits in photos and scans: found, and brought to the form that MNIST has."""

from toolkit.digits.components import Box as Box
from toolkit.digits.form import canvas_ink as canvas_ink
from toolkit.digits.form import is_mnist as is_mnist
from toolkit.digits.form import looks as looks
from toolkit.digits.form import to_form as to_form
from toolkit.digits.page import ENOUGH as ENOUGH
from toolkit.digits.page import Digit as Digit
from toolkit.digits.page import Page as Page
from toolkit.digits.page import find as find
from toolkit.digits.picture import ReadDigit as ReadDigit
from toolkit.digits.picture import draw as draw
