"""What converters with a Schema Registry share: its client, the wire format and the names of subjects.

`transport` speaks HTTP to one of several registries and tries again; `client` knows what is asked of one and remembers
the answers; `settings` are the keys that Confluent's converters have in common; `framing` is the magic byte and the id.
"""

from headrace.connect.converters.registry.client import RegisteredSchema, RegistryClient
from headrace.connect.converters.registry.settings import RegistrySettings, registry_config_def

__all__ = ["RegisteredSchema", "RegistryClient", "RegistrySettings", "registry_config_def"]
