#!/bin/sh
# Publishes the layer, and makes the function or updates it. Needs the AWS command line, and zip.
set -eu
cd "$(dirname "$0")"
name=my-function
secret='{{secretId}}'

layer=$(aws lambda publish-layer-version --layer-name cockroach-lambda \
  --zip-file fileb://node_modules/cockroach-lambda/dist/layer.zip \
  --compatible-runtimes nodejs24.x nodejs22.x python3.13 --query LayerVersionArn --output text)
rm -f function.zip
(cd {{code}} && zip -q -r ../function.zip .)

if aws lambda get-function --function-name "$name" >/dev/null 2>&1; then
  aws lambda update-function-code --function-name "$name" --zip-file fileb://function.zip >/dev/null
  aws lambda wait function-updated --function-name "$name"
  aws lambda update-function-configuration --function-name "$name" --layers "$layer" >/dev/null
else
  # The role may write logs, and read this one secret. It may be there from an attempt that was cut short.
  role=$(aws iam get-role --role-name "$name" --query Role.Arn --output text 2>/dev/null ||
    aws iam create-role --role-name "$name" --query Role.Arn --output text --assume-role-policy-document \
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}')
  aws iam attach-role-policy --role-name "$name" \
    --policy-arn arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole
  arn=$(aws secretsmanager describe-secret --secret-id "$secret" --query ARN --output text)
  aws iam put-role-policy --role-name "$name" --policy-name read-database-secret --policy-document \
    "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"secretsmanager:GetSecretValue\",\"Resource\":\"$arn\"}]}"
  # A new role takes some seconds until Lambda may use it.
  tries=0
  until aws lambda create-function --function-name "$name" --runtime {{runtime}} --architectures arm64 \
    --handler index.handler --zip-file fileb://function.zip --role "$role" --layers "$layer" \
    --memory-size 512 --timeout 10 --environment "Variables={COCKROACH_SECRET_ID=$secret}" >/dev/null; do
    tries=$((tries + 1))
    [ "$tries" -lt 10 ] || exit 1
    sleep 3
  done
fi
aws lambda wait function-active --function-name "$name"
echo "$name has layer $layer"
