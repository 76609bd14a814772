#!/usr/bin/env python3
"""Tunes a PID controller: reads one JSON line per batch, answers one with the costs.

The plant is a damped oscillator, y'' + 0.6 y' + 4 y = 4 u, with an actuator that is limited to
|u| <= 3 and follows its command with a time constant of 0.1 s. The set point steps from 0 to 1 at
t = 0; a disturbance of -0.5 is added to u from t = 5 s on. Ten seconds are simulated in steps of
10 ms (semi-implicit Euler). A point is log10 of the gains: kp, ki, kd.

The cost is the mean over time of |error| + 0.05 |u - u before| / step, so that a controller that
shakes the actuator is worse; smaller is better.
"""
import json
import sys

STEP = 0.01
STEPS = 1000


def cost(point):
    kp, ki, kd = (10.0 ** p for p in point)
    position = velocity = actuator = integral = total = 0.0
    error_before = command_before = None
    for k in range(STEPS):
        error = 1.0 - position
        slope = 0.0 if error_before is None else (error - error_before) / STEP
        error_before = error
        wanted = kp * error + ki * integral + kd * slope
        command = min(3.0, max(-3.0, wanted))
        if command == wanted:  # no wind-up while the actuator is at its limit
            integral += error * STEP
        if command_before is None:
            command_before = command
        total += abs(error) + 0.05 * abs(command - command_before) / STEP
        command_before = command
        actuator += (command - actuator) * STEP / 0.1
        force = actuator - (0.5 if k * STEP >= 5.0 else 0.0)
        velocity += (4.0 * force - 0.6 * velocity - 4.0 * position) * STEP
        position += velocity * STEP
    return total / STEPS


def main():
    print("simulator ready", file=sys.stderr)
    for line in sys.stdin:
        batch = json.loads(line)
        print(json.dumps({"fitness": [cost(p) for p in batch["points"]]}), flush=True)


if __name__ == "__main__":
    main()
