/** The environment variables that only the rotation function has; the construct sets them. */

/** Name or ARN of the secret of the user who changes the others' passwords; absent: the user changes its own. */
export const ROTATION_MASTER_SECRET_ID = 'ROTATION_MASTER_SECRET_ID'
