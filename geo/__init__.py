"""Places, datums, roads and travel times. Imports nothing of dispatch, api or jobs."""
