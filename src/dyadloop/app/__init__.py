"""A local explorer in the browser: theory, exploring, study, plan and evidence; a thin door, no science.

How a page hangs in. On the server a module of this room holds ``ROUTES``, a tuple of Starlette routes under ``/api/``,
and is named in ``MODULES`` of :mod:`dyadloop.app.server`; where it needs something that lives as long as the server
(jobs, a warm-up) it also holds ``lifespan(explorer)``, an asynchronous context manager. An endpoint reads its body by
``await content(request, Model)``, finds what the server was started with by ``explorer_of(request)``, does what takes
time by ``await in_thread(function, ...)`` and answers by ``answer(found)``; an error of dyadloop that it lets through
is told by its message with status 400, and ``Refused(status, text)`` is any other answer in words.

In the browser a page is one module ``static/pages/NAME.js`` that exports ``async function show(main, state)``: ``main``
is an empty element that it fills with the functions of ``dom.js``, ``state`` what stands in the address behind the name
of the page. It may return a function that is called when the page is left. Pages are listed in ``static/app.js``. They
ask by ``ask(path, body)`` of ``server.js``, which raises an ``Error`` with the words of the server. Marks are drawn by
``marks.js``. No page writes markup as text: every text goes through ``textContent``.
"""

from dyadloop.app.server import create_app
from dyadloop.app.serving import serve

__all__ = ["create_app", "serve"]
