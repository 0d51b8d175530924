"""What the pipelines say: step summaries, the pull request's comment, annotations, SARIF, notifications.

`evidence` reads what a pipeline left and makes it one record; `summary` and `comment` write that as Markdown;
`discussion` brings the comment to the pull request; `annotations` and `sarif` name lines; `notices` decides what
is worth telling a team, and `channels` tells it.
"""
