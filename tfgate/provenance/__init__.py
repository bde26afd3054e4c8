"""Where rules come from: the commit in force, who changed each rule last, and who approved that.

Git is asked through plumbing commands that run nothing a repository names. Nothing here knows
plans, records or reports.
"""
