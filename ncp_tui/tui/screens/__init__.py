"""The screens, one module each, with the style beside it; loaded when they are opened."""
