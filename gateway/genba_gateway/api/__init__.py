"""HTTP: one blueprint module per noun. A handler reads the request, calls one service, answers. No SQL, no rules.

* `gate`: authentication and the permission that each route declares
* `answers`: messages out, errors out, bodies in
* `streams`: server-sent events and websockets out
"""
