"""What puts the service on AWS: templates of CloudFormation, the package, and the settings of Zappa."""
