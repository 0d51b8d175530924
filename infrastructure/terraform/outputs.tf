output "cluster_name" {
  description = "The workflows' EKS_CLUSTER_NAME."
  value       = aws_eks_cluster.this.name
}

output "cluster_endpoint" {
  description = "Address of the cluster's API."
  value       = aws_eks_cluster.this.endpoint
}

output "github_role_arn" {
  description = "The role that the workflows assume."
  value       = aws_iam_role.github.arn
}

output "github_subjects" {
  description = "The token subjects that may assume it; compare them with a refused job's own."
  value       = local.github_subjects
}

output "registries" {
  description = "Service → image repository, for `newName` in the overlays."
  value       = { for name, repository in aws_ecr_repository.service : name => repository.repository_url }
}
