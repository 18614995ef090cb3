"""Answer a paused run as its page in the Prefect UI does: by the same requests."""

import asyncio
from typing import Any

import httpx


class OperatorInPrefect:
    """Somebody at the Prefect UI.

    Args:
        url: Address of the Prefect server.
    """

    def __init__(self, url: str) -> None:
        self._api = f"{url}/api"

    async def sees(self, name: str) -> dict[str, Any]:
        """Wait until a run of this name is paused and has its form, and return it."""
        wanted = {"flow_runs": {"name": {"any_": [name]}, "state": {"type": {"any_": ["PAUSED"]}}}}
        async with asyncio.timeout(180), httpx.AsyncClient(trust_env=False) as client:
            while True:
                found = (await client.post(f"{self._api}/flow_runs/filter", json=wanted)).json()
                # The form is stored after the run is paused.
                if found and (await client.get(self._input(found[0], "description"))).is_success:
                    return dict(found[0])
                await asyncio.sleep(0.3)

    async def form(self, run: dict[str, Any]) -> tuple[dict[str, Any], str]:
        """Return the schema of a run's form, and the text above it."""
        async with httpx.AsyncClient(trust_env=False) as client:
            schema, told = [(await client.get(self._input(run, part))).json() for part in ("schema", "description")]
        return schema, told

    async def answers(self, run: dict[str, Any], **values: str) -> str:
        """Send the form, and return Prefect's verdict."""
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(f"{self._api}/flow_runs/{run['id']}/resume", json={"run_input": values})
        return str(answer.json()["status"])

    def _input(self, run: dict[str, Any], part: str) -> str:
        keyset = run["state"]["state_details"]["run_input_keyset"]
        return f"{self._api}/flow_runs/{run['id']}/input/{keyset[part]}"
