"""What is wrong between this machine and a gateway, in words, and what to change.

* `findings`: what was seen on the way, as plain values
* `failures`: which kind of failure an exception is
* `pages`: pages that proxies answer with
* `judging`: findings in, sentences out
* `probing`: looks at a real gateway
* `passage`, `judging_passage`: the same for streams, large bodies and silence, which take longer
* `interfaces`: the network interfaces of this machine
* `report`: findings as the contract's JSON of `netcheck`
"""
