"""The fault test: real SIGKILLs under real load, then an audit that shares no code with what it looks at."""
