"""What `make agent` assembles the executable from.

`recipe` says which packages and which parts of them, `base` fetches and trims them, `head.sh` is the script in front.
"""
