"""The way between the programs and a gateway, through real proxies."""
