# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Control endpoints of the emulator, which the real service lacks.

Playbooks, which have only HTTP, use them to set up zones and faults, to read the requests, and to stop the emulator.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict

from flask import Flask, Response, jsonify, request

from .app import Recorded
from .faults import parse
from .settings import Settings
from .state import ApiError, State


def create_control(settings: Settings, state: State, requests: list[Recorded], stop: Callable[[], None]) -> Flask:
    """Create the application for /emulator.

    `stop` is called after the response to a stop request is sent.
    """
    control = Flask(__name__, static_folder=None)

    @control.get("/requests")
    def list_requests() -> Response:
        return jsonify([asdict(recorded) for recorded in requests])

    @control.delete("/requests")
    def forget_requests() -> Response:
        requests.clear()
        return jsonify({})

    @control.put("/faults")
    def set_faults() -> tuple[Response, int]:
        """Replace the faults by those of the body, in the format of faults.parse."""
        try:
            settings.faults = parse(json.loads(request.get_data()))
        except (TypeError, ValueError) as error:
            return jsonify({"error": str(error)}), 400
        return jsonify({}), 200

    @control.put("/zones/<name>")
    def set_zone(name: str) -> tuple[Response, int]:
        """Create or change a zone; the body has parameters of State.set_zone.

        Mappings have the form {"192.0.2.1": ["aws", "us-east-1"]}.
        """
        try:
            zone = state.set_zone(name, **json.loads(request.get_data() or b"{}"))
        except (ApiError, AttributeError, TypeError, ValueError) as error:
            return jsonify({"error": str(error)}), 400
        return jsonify(
            {
                "id": zone.id,
                "name": zone.name,
                "account": {"id": zone.account_id, "name": zone.account},
                "tiered_cache": zone.tiered_cache,
                "smart_tiered_cache": zone.smart_tiered_cache,
                "obtained_codes": zone.obtained_codes,
                "status": zone.status,
                "plan": zone.plan,
                "dns_records": zone.dns_records,
                "load_balancers": zone.load_balancers,
                "traffic": zone.traffic,
                "analytics": zone.analytics,
                "mappings": zone.values(),
            }
        ), 200

    @control.put("/accounts/<name>/pools")
    def set_pools(name: str) -> tuple[Response, int]:
        """Replace the pools of an account by those of the body.

        The body is a list in the API's format.
        """
        try:
            return jsonify({"pools": state.set_pools(name, json.loads(request.get_data()))}), 200
        except (KeyError, TypeError, ValueError) as error:
            return jsonify({"error": str(error)}), 400

    @control.post("/stop")
    def stop_emulator() -> Response:
        response = jsonify({})
        response.call_on_close(stop)
        return response

    return control
