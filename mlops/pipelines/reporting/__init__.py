"""What the pipelines say: step summaries, the pull request's comment, annotations, SARIF, notifications.

`evidence` reads what a pipeline left and makes it one record; `summary` and `comment` write that as Markdown;
`discussion` brings the comment to the pull request; `expectations` and `findings` name lines as `annotations`, and
`sarif` those of the audit for GitHub's own list; `notices` decides what is worth telling a team, and `channels` tells
it.
"""
