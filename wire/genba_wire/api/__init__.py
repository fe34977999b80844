"""JSON messages of the HTTP API, one module per noun (contract, appendix B).

Keys are the contract's. A field without a default is always written; a field with a default is left out when it
has that value, which is what `?` means in the contract. Times are aware UTC datetimes, ids lower-case UUID text.
"""
