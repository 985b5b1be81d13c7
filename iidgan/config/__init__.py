"""What a run is made of, and the names under which its parts are found.

`Run`, its JSON form, the registries and recommended defaults belong here; nothing here trains,
samples or touches a run directory.
"""
