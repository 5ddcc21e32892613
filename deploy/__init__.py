"""Deployment to AWS: CloudFormation templates, the Lambda package, and the settings of Zappa."""
