"""What stands in for Lambda's runtime: loads the function once, and hands it one invocation after the other.

Run by a Python of Lambda's version, isolated, on the unzipped package and what the runtime has itself:
`python3.13 -I -S -B lambda_runtime.py TASK_ROOT RUNTIME_PACKAGES ANSWERS`. Each line of standard input is a JSON
document, an event, and is answered by a line on the file descriptor ANSWERS.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import os
import sys
import time

TASK_ROOT, RUNTIME, ANSWERS = sys.argv[1:4]
BEGAN = time.perf_counter()


class Context:
    """https://docs.aws.amazon.com/lambda/latest/dg/python-context.html"""

    function_name = "ivsvod-production"
    memory_limit_in_mb = "1024"

    def __init__(self, number: int) -> None:
        self.aws_request_id = f"00000000-0000-0000-0000-{number:012}"
        self._ends = time.monotonic() + 120

    def get_remaining_time_in_millis(self) -> int:
        return int((self._ends - time.monotonic()) * 1000)


def peak_memory() -> int:
    """Bytes, of this process; getrusage would tell of the one that started it, where that was larger."""
    with open("/proc/self/status") as status:  # noqa: PTH123  (pathlib is not loaded for it)
        [line] = [line for line in status if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


def main() -> None:
    # As on Lambda, where the package comes first.
    sys.path[:0] = [TASK_ROOT, RUNTIME]
    os.chdir(TASK_ROOT)
    module, _, name = os.environ["_HANDLER"].rpartition(".")
    handler = getattr(__import__(module, fromlist=[name]), name)
    with os.fdopen(int(ANSWERS), "w") as answers:
        for number, line in enumerate(sys.stdin, 1):
            try:
                reply = {"answer": handler(json.loads(line), Context(number))}
            except Exception as error:
                reply = {"error": type(error).__name__, "message": str(error)}
            reply |= {"seconds": time.perf_counter() - BEGAN, "peak_memory": peak_memory(), "modules": len(sys.modules)}
            answers.write(json.dumps(reply) + "\n")
            answers.flush()


if __name__ == "__main__":
    main()
