"""The engine: batches out, exactly one outcome a row back (`engine`, `delivery`); it knows no endpoint.

`batches` cuts, `progress` counts and stops, `refusals` words what the server refused.
"""
