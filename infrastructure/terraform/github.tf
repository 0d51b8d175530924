# GitHub's workflows sign in by OIDC, without a key that could leak. They may push images and nothing
# else: a release is a commit in the manifest repository, which Argo CD reads.
# https://docs.github.com/actions/reference/security/oidc

locals {
  # repo:OWNER/NAME, or with ids repo:OWNER@ID/NAME@ID; GitHub decides by the repository's age.
  github_repository = var.github.repository_id == null ? (
    "repo:${var.github.owner}/${var.github.repository}"
    ) : (
    "repo:${var.github.owner}@${var.github.owner_id}/${var.github.repository}@${var.github.repository_id}"
  )

  # A job that names an environment has that in its subject in place of its branch, so who may use
  # an environment is settled on GitHub: protect them so that only main deploys. No wildcards here.
  github_subjects = concat(
    ["${local.github_repository}:ref:refs/heads/main"],
    [for name in sort(var.github_environments) : "${local.github_repository}:environment:${name}"],
  )
}

resource "aws_iam_openid_connect_provider" "github" {
  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

data "aws_iam_policy_document" "github_assumes" {
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [aws_iam_openid_connect_provider.github.arn]
    }

    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:aud"
      values   = ["sts.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:sub"
      values   = local.github_subjects
    }
  }
}

resource "aws_iam_role" "github" {
  name                 = "${var.name}-github"
  description          = "Workflows of ${var.github.owner}/${var.github.repository}: push images"
  assume_role_policy   = data.aws_iam_policy_document.github_assumes.json
  max_session_duration = 3600
}

data "aws_iam_policy_document" "github_may" {
  statement {
    sid       = "SignIn"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"] # this action knows no narrower resource
  }

  statement {
    sid = "Push"
    actions = [
      "ecr:BatchCheckLayerAvailability",
      "ecr:BatchGetImage",
      "ecr:CompleteLayerUpload",
      "ecr:DescribeImages",
      "ecr:GetDownloadUrlForLayer",
      "ecr:InitiateLayerUpload",
      "ecr:PutImage",
      "ecr:UploadLayerPart",
    ]
    resources = [for repository in aws_ecr_repository.service : repository.arn]
  }

  statement {
    sid       = "FindCluster"
    actions   = ["eks:DescribeCluster"]
    resources = [aws_eks_cluster.this.arn]
  }
}

resource "aws_iam_role_policy" "github" {
  name   = "push-images"
  role   = aws_iam_role.github.id
  policy = data.aws_iam_policy_document.github_may.json
}
