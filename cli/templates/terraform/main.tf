# terraform init && terraform apply
terraform {
  required_version = ">= 1.5"
  required_providers {
    aws     = { source = "hashicorp/aws", version = ">= 6.0" }
    archive = { source = "hashicorp/archive", version = ">= 2.0" }
  }
}

data "aws_secretsmanager_secret" "database" {
  name = "{{secretId}}"
}

resource "aws_lambda_layer_version" "cockroach" {
  layer_name          = "cockroach-lambda"
  filename            = "${path.module}/node_modules/cockroach-lambda/dist/layer.zip"
  source_code_hash    = filebase64sha256("${path.module}/node_modules/cockroach-lambda/dist/layer.zip")
  compatible_runtimes = ["nodejs24.x", "nodejs22.x", "python3.13"]
}

data "archive_file" "function" {
  type        = "zip"
  source_dir  = "${path.module}/{{code}}"
  output_path = "${path.module}/function.zip"
}

# The function may write logs, and read this one secret.
resource "aws_iam_role" "function" {
  name = "my-function"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "logs" {
  role       = aws_iam_role.function.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}

resource "aws_iam_role_policy" "secret" {
  name = "read-database-secret"
  role = aws_iam_role.function.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "secretsmanager:GetSecretValue"
      Resource = data.aws_secretsmanager_secret.database.arn
    }]
  })
}

resource "aws_lambda_function" "function" {
  function_name    = "my-function"
  role             = aws_iam_role.function.arn
  runtime          = "{{runtime}}"
  architectures    = ["arm64"]
  handler          = "index.handler"
  filename         = data.archive_file.function.output_path
  source_code_hash = data.archive_file.function.output_base64sha256
  layers           = [aws_lambda_layer_version.cockroach.arn]
  memory_size      = 512
  timeout          = 10

  environment {
    variables = { COCKROACH_SECRET_ID = data.aws_secretsmanager_secret.database.name }
  }
}
