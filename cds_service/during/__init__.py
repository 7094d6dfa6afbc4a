"""Operations that run or have ended: what comes in of them, and the page that shows one."""
