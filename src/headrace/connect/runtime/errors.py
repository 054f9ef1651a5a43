"""What the herder answers a request with that it cannot do; REST makes the status and `{error_code, message}` of it."""


class RequestError(Exception):
    """A request that cannot be done; `status` is HTTP's."""

    status = 500


class BadRequest(RequestError):
    status = 400


class NotFound(RequestError):
    status = 404


class Conflict(RequestError):
    """It cannot be done now, or clashes with what there is."""

    status = 409


class Forbidden(RequestError):
    status = 403


class Unavailable(RequestError):
    """The worker is starting or stopping."""

    status = 503
