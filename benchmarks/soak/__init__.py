"""A worker under full load for minutes: does it keep what it should let go?"""
