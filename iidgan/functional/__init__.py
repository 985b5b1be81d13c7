"""Pure mathematics on tensors: no modules, no configuration, no optimisers."""
