"""Ten small generations as evosax's examples run them: population 32, ten parameters."""

import jax
import jax.numpy as jnp
from evosax.algorithms import SimpleGA

key = jax.random.key(0)
es = SimpleGA(32, jnp.zeros(10))
params = es.default_params
population = jax.random.normal(key, (32, 10))
state = es.init(key, population, (population * population).sum(-1), params)
for _ in range(10):
    key, ask_key, tell_key = jax.random.split(key, 3)
    population, state = es.ask(ask_key, state, params)
    state, metrics = es.tell(tell_key, population, (population * population).sum(-1), state, params)
print(float(metrics["best_fitness"]))
