"""The exception of the local IVS; its code is the name of an exception in the service model."""


class IvsError(Exception):
    """An error answer: ``code`` names the modelled exception, and with it the HTTP status.

    https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/CommonErrors.html
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def invalid(message: str) -> IvsError:
    return IvsError("ValidationException", message)


def not_found(arn: str) -> IvsError:
    return IvsError("ResourceNotFoundException", f"Resource not found: {arn}")


def conflict(message: str) -> IvsError:
    return IvsError("ConflictException", message)


def quota_exceeded(what: str, limit: int) -> IvsError:
    return IvsError("ServiceQuotaExceededException", f"Quota exceeded: {limit} {what}")
