"""Records and arrays to tables and figures, without torch.

Statistics, table formats and drawing primitives belong here; which runs are shown is decided in
`figures` and `studies`.

The public names are listed in `__init__.pyi`. Each is imported on first use, so that commands that
draw nothing do not import Matplotlib.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
