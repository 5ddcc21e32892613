"""`python -m deploy.outputs STAGE STACK …`: write the outputs of CloudFormation stacks to `deploy/<stage>.env`.

An output sets the variable of its name in capitals: `RecordingBucket` sets RECORDING_BUCKET. Other variables stay.
"""

import re
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from dotenv import set_key

from deploy.package import CHECKOUT


def main(arguments: list[str]) -> None:
    """Write the variables and print their names.

    Raises:
        SystemExit: a stack could not be read; the message says why.
    """
    if len(arguments) < 2:
        sys.exit("python -m deploy.outputs STAGE STACK …")
    stage, *stacks = arguments
    path = CHECKOUT / "deploy" / f"{stage}.env"
    path.touch(mode=0o600)
    session = boto3.session.Session()
    variables = {"AWS_REGION": session.region_name or ""}
    for stack in stacks:
        try:
            [found] = session.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        except (ClientError, BotoCoreError) as error:
            sys.exit(f"{stack}: {error}")
        variables |= {variable_of(item["OutputKey"]): item["OutputValue"] for item in found.get("Outputs", [])}
    for name, value in sorted(variables.items()):
        set_key(path, name, value, quote_mode="auto")
    print(f"{path.relative_to(CHECKOUT)}: {', '.join(sorted(variables))}")


def variable_of(output: str) -> str:
    """Return the name of the variable of an output."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", output).upper()


if __name__ == "__main__":
    main(sys.argv[1:])
