variable "name" {
  description = "Name of the cluster, and the beginning of every other name."
  type        = string
  default     = "switchyard"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.name))
    error_message = "Lower-case letters, digits and hyphens, beginning with a letter, 31 at most."
  }
}

variable "region" {
  description = "AWS region, the workflows' AWS_REGION."
  type        = string
}

variable "kubernetes_version" {
  description = "Minor version of Kubernetes."
  type        = string
  default     = "1.35"
}

variable "subnet_ids" {
  description = "Private subnets of an existing VPC, in at least two zones, with a way out for image pulls."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "EKS needs subnets in at least two availability zones."
  }
}

variable "public_access_cidrs" {
  description = "Networks that may reach the cluster's API from outside. Empty: from inside the VPC only."
  type        = list(string)
  default     = []

  validation {
    condition     = !contains(var.public_access_cidrs, "0.0.0.0/0")
    error_message = "The API is not opened to the whole internet."
  }
}

variable "instance_types" {
  description = "Instance types of the nodes."
  type        = list(string)
  default     = ["m7i.large"]
}

variable "nodes" {
  description = "Number of nodes."
  type = object({
    least = number
    most  = number
  })
  default = {
    least = 2
    most  = 4
  }

  validation {
    condition     = var.nodes.least >= 1 && var.nodes.most >= var.nodes.least
    error_message = "At least one node, and most not below least."
  }
}

variable "services" {
  description = "Services that have an image repository."
  type        = set(string)
  default     = ["api", "predict"]
}

variable "github" {
  description = <<-EOT
    The repository whose workflows may push images. The ids are needed where GitHub writes them into
    the subject of its tokens, as it does for repositories created after 15 July 2026:
    `gh api repos/OWNER/REPOSITORY --jq '.owner.id, .id'`. Leave them out for an older repository.
  EOT
  type = object({
    owner         = string
    repository    = string
    owner_id      = optional(string)
    repository_id = optional(string)
  })

  validation {
    condition     = (var.github.owner_id == null) == (var.github.repository_id == null)
    error_message = "Give both ids or none."
  }
}

variable "github_environments" {
  description = "GitHub environments whose jobs may push images, besides the jobs of the branch main without one."
  type        = set(string)
  default     = ["development", "staging", "production"]
}
