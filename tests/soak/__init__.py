"""Soak and chaos: hundreds of streams at once for an hour, a tenth of the answers faulty.

``tox -e soak`` starts a server and a crowd of each colour, each in a process of its own. Every
stream is accounted for: whole, with the right text; failed, with a beginning of the right text; or
ended by its reader. Memory, threads and descriptors must not grow.
"""
