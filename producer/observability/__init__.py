"""What an operator sees: metrics, health, status.

Owns every metric's name, help and label values, and the HTTP surface that shows them.

Assumes that a label's values come from a closed set; what a stranger controls is never a label.

Leaves to others when something is counted: they call a method that is named after what happened.
"""
